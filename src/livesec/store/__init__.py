"""The store: one writer, any number of readers, one schema in SQLAlchemy Core."""
