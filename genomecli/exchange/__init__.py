"""Others' formats, in and out."""
