"""The sample web: fictional companies, their truth, and the server that serves them."""
