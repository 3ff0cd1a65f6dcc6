"""From embeddings to identities: kNN graph, clustering, cleaning, splits."""
