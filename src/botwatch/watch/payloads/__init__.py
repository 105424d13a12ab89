"""The eye on documents: follows each source, keeps its profile, and tells when its documents change."""
