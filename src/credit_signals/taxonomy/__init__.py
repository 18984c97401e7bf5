"""What the product knows of codes: signals and business activities (NACE Rev. 2, NAICS 2022)."""
