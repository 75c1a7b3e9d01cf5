"""Bytes of any format into lines and tables of Vietnamese text."""
