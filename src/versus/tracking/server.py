"""MLflow's server with pages that open an experiment at its leaderboard: ``mlflow server --app-name versus``.

MLflow's pages (3.17) decide by a setting of the browser what a click in the list of experiments opens: a page for
language models, which counts traces, until somebody has switched to "Model training"; no tag of the experiment counts.
A script in the first page makes model training what a new browser begins with, and lets the click open the view that is
saved with the experiment, where there is one (`versus.tracking.experiments`). ``versus ui`` serves these pages.
"""

from __future__ import annotations

from flask import Response, request
from mlflow.server import app as _pages
from mlflow.server.fastapi_app import app as app

from versus.tracking.experiments import LEADERBOARD, VIEW, link

PLACE = "<head>"
SCRIPT = """<script>
(() => {
  const workflow = "mlflow.workflowType_v1";
  if (localStorage.getItem(workflow) === null) localStorage.setItem(workflow, '"machine_learning"');
  const go = (hash) => { location.hash = hash; };
  document.addEventListener("click", (event) => {
    const found = event.target.closest("a[href]")?.getAttribute("href").match(/(#\\/experiments\\/(\\d+))$/);
    if (!found || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    fetch(`ajax-api/2.0/mlflow/experiments/get?experiment_id=${found[2]}`)
      .then((reply) => reply.json())
      .then(({experiment}) => {
        const saved = (experiment.tags ?? []).some((tag) => tag.key === "VIEW");
        go(saved ? "LINK".replace("ID", found[2]) : found[1]);
      })
      .catch(() => go(found[1]));
  }, true);
})();
</script>""".replace("VIEW", VIEW + LEADERBOARD).replace("LINK", link("ID"))


@_pages.after_request
def _with_script(response: Response) -> Response:
    if request.path == "/" and response.mimetype == "text/html":
        response.direct_passthrough = False
        response.set_data(response.get_data(as_text=True).replace(PLACE, PLACE + SCRIPT, 1))
        del response.headers["ETag"]  # of the page without the script
    return response
