// Stands for a package whose parts the report's charts do not use. An import of all of it finds nothing.
export {};
