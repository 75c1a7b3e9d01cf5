"""Reads files of any supported format into lines and tables of Vietnamese text."""
