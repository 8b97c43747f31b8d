"""Our Chinese: compiling the catalogues on any machine, and finding the strings that have no translation yet."""
