"""x."""
import typer
labelling_app = typer.Typer()
