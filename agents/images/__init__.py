"""The image of an article: from an image model, or a built-in cover; and its crop for social previews."""
