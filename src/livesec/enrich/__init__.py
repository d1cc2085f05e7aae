"""Lookups: what rows gain from tables of the organisation and the world, address by address."""
