"""The domain graph of a company's site."""
