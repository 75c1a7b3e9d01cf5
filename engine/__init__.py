"""The rules, the records, the lifecycle, the queries and their faces. Knows no mail and no scheduler."""
