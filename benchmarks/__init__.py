"""What is fast, and against what: each module prints ratios measured side by side in one run."""
