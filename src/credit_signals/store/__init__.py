"""The results store (SQLAlchemy 2): the only package that imports sqlalchemy."""
