"""Questions over the store, as JSON: pure queries, thinning for plots, routes, OpenAPI."""
