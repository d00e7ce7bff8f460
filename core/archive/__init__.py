"""The archive: original files, thumbnails, the metadata inside them."""
