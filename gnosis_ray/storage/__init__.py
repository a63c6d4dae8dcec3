"""Storage: locations, and one backend of whole files for folders and buckets."""
