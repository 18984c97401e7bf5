"""The whole platform on one machine: `./run demo`. It knows Airflow's processes; the library does not."""
