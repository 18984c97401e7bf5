"""`credit-signals scale`: how many worker pods the cluster has, how many the work needs, and a wish for more."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="""Look at the worker pods of the cluster, and scale them.

    The Deployment is CREDIT_SIGNALS_SCALE_DEPLOYMENT (namespace/name), reached with CREDIT_SIGNALS_SCALE_KUBECONFIG,
    or from a pod with its service account. Scaling is safe at any moment, up and down: a pod that goes finishes its
    batch or hands it back, and what a killed pod held goes to others. What KEDA or a HorizontalPodAutoscaler scales is
    left to it. During a run the DAG's task scale_workers sizes the workers itself, and may take back your wish.""",
)


@app.command()
def status(
    hours: Annotated[float, typer.Option(help="Time in which the backlog should be read.", min=0.01)] = 24.0,
) -> None:
    """Pods, who scales them, backlog, and what the sizing rule would choose for the backlog, and why."""
    from credit_signals import settings, wiring
    from credit_signals.errors import ScalingRefused
    from credit_signals.scaling import Demand, explain

    chosen = settings.load()
    deployment, rule = wiring.open_deployment(chosen), wiring.sizing_rule(chosen)
    queue = wiring.open_queue(chosen)
    try:
        counts = queue.status()
    finally:
        queue.close()
    replicas = deployment.replicas()
    try:
        owner = deployment.owner() or "nobody else: `scale to` and the task scale_workers may"
    except ScalingRefused as error:
        owner = f"unknown, so nothing is scaled from here: {error}"
    demand = Demand(counts.length, chosen.scale_service_seconds, hours * 3600, replicas.wished)
    shown = {
        "deployment": deployment.place,
        "wished": replicas.wished,
        "pods": replicas.pods,
        "consumers": f"{counts.consumers} (workers known to the queue)",
        "scaled by": owner,
        "backlog": f"{counts.length} sections, {counts.pending} of them in work",
        "the rule": explain(rule, demand),
    }
    for name, value in shown.items():
        typer.echo(f"{name:<11} {value}")


@app.command()
def to(count: Annotated[int, typer.Argument(help="Worker pods to ask for.", min=0)]) -> None:
    """Ask for this many worker pods, unless KEDA or a HorizontalPodAutoscaler scales them."""
    from credit_signals import pipeline, settings, wiring

    deployment = wiring.open_deployment(settings.load())
    before = deployment.replicas().wished
    pipeline.scale(deployment, count)
    typer.echo(f"{deployment.place}: {before} -> {count} asked for")
