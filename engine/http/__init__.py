"""Code shared by the pages and the API: request context, forms, filters, security, rendering, uploads, error pages."""
