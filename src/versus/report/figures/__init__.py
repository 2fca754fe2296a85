"""Pictures for the page and MLflow: geometry here, markup in ``templates/figures``, colours in CSS."""
