"""IObjectExporter: the one question that DCOM clients and scanners ask of any machine."""
