#!/bin/sh
# Writes docker/.env with new random passwords and keys for compose.yaml; an existing file is left as it is.
set -eu
file=$(dirname "$0")/.env
[ ! -e "$file" ] || { echo "$file is there already" >&2; exit 0; }
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
{
    echo "POSTGRES_PASSWORD=$(random)"
    echo "AIRFLOW_API_SECRET_KEY=$(random)"
    echo "AIRFLOW_JWT_SECRET=$(random)"
    # 32 bytes as URL-safe base64
    echo "AIRFLOW_FERNET_KEY=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')"
} >"$file"
echo "wrote $file"
