"""The mirror: what the stages wrote, copied to MLflow. Files first, then the log.

Importing mlflow and opening its store takes seconds, and a run of the pipeline is over a hundred short processes. So
the stages (`client`) never import it: they ask one background process (`publisher`), which the first of them starts
and which leaves when nobody has asked for a while. It reads a cell's files (`record`) and writes them as one MLflow
run (`mirror`), known by a fingerprint of those files: asking twice changes nothing, a killed publisher leaves nothing
half-done that the next one does not mend, and a server that is down costs a stage a few seconds and a warning.
"""
