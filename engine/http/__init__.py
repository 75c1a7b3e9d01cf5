"""What pages and API share: the request, forms, filters, security, rendering, uploads, error pages."""
