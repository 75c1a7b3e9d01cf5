"""The guide inside the product: what each page is for and how a thing is done, for each role, in both languages."""
