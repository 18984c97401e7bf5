{{/* First part of every name. */}}
{{- define "credit-signals.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select; takes a dict of root and component. */}}
{{- define "credit-signals.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* All labels; takes a dict of root and component. */}}
{{- define "credit-signals.labels" -}}
{{ include "credit-signals.selector" . }}
app.kubernetes.io/part-of: credit-signals
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* A kind of worker with the defaults, as YAML; takes a dict of root and name. Refuses what cannot work. */}}
{{- define "credit-signals.worker" -}}
{{- $worker := mergeOverwrite (deepCopy .root.Values.workerDefaults) (deepCopy (index .root.Values.workers .name | default dict)) -}}
{{- if and $worker.autoscaling.keda.enabled $worker.autoscaling.hpa.enabled -}}
{{- fail (printf "workers.%s: autoscaling.keda and autoscaling.hpa would both set the number of pods: enable one" .name) -}}
{{- end -}}
{{- if and $worker.autoscaling.keda.enabled (not .root.Values.redis.address) (not .root.Values.trial.enabled) -}}
{{- fail (printf "workers.%s: autoscaling.keda needs redis.address (host:port)" .name) -}}
{{- end -}}
{{- range list "keda" "hpa" -}}
{{- $scaler := index $worker.autoscaling . -}}
{{- if gt (int $scaler.minReplicas) (int $scaler.maxReplicas) -}}
{{- fail (printf "workers.%s: autoscaling.%s.minReplicas is above maxReplicas" $.name .) -}}
{{- end -}}
{{- end -}}
{{- $longest := mulf $worker.batch $worker.slowestSectionSeconds -}}
{{- if lt (float64 $worker.terminationGracePeriodSeconds) (addf $longest 30) -}}
{{- fail (printf "workers.%s: terminationGracePeriodSeconds is %v, and a batch may take %v s (batch x slowestSectionSeconds): give at least 30 s more, or a smaller batch" .name $worker.terminationGracePeriodSeconds $longest) -}}
{{- end -}}
{{- toYaml $worker -}}
{{- end -}}

{{- define "credit-signals.workerName" -}}
{{- printf "%s-%s" (include "credit-signals.fullname" .root) .name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "credit-signals.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "credit-signals.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "credit-signals.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the addresses of Redis and store; exactly one source. */}}
{{- define "credit-signals.secretName" -}}
{{- $sources := 0 -}}
{{- range list (not (empty .Values.secrets.existingSecret)) .Values.secrets.externalSecret.enabled .Values.trial.enabled -}}
{{- if . }}{{ $sources = add1 $sources }}{{ end -}}
{{- end -}}
{{- if ne (int $sources) 1 -}}
{{- fail "set exactly one of secrets.existingSecret, secrets.externalSecret.enabled and trial.enabled: workers need the addresses of Redis and of the store" -}}
{{- end -}}
{{- .Values.secrets.existingSecret | default (printf "%s-%s" (include "credit-signals.fullname" .) (ternary "trial" "connections" .Values.trial.enabled)) -}}
{{- end -}}

{{/* One variable out of that Secret; takes a dict of root, variable and key (a name in secrets.keys). */}}
{{- define "credit-signals.secretVariable" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "credit-signals.secretName" .root }}
      key: {{ index .root.Values.secrets.keys .key }}
{{- end -}}

{{- define "credit-signals.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "credit-signals.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where a read-only container may write. */}}
{{- define "credit-signals.scratchMounts" -}}
- name: tmp
  mountPath: /tmp
- name: data
  mountPath: /data
{{- end -}}

{{- define "credit-signals.scratchVolumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
- name: data
  emptyDir:
    sizeLimit: 64Mi
{{- end -}}

{{/* Manifest of the reader, or nothing for the image's own. */}}
{{- define "credit-signals.reader" -}}
{{- if eq .Values.model.delivery "fetch" -}}
{{- .Values.model.reader | default (printf "/models/%s" (.Values.model.fetch.url | base)) -}}
{{- else -}}
{{- .Values.model.reader -}}
{{- end -}}
{{- end -}}

{{- define "credit-signals.modelMounts" -}}
{{- if ne .Values.model.delivery "image" -}}
- name: models
  mountPath: /models
  readOnly: true
  {{- with .Values.model.pvc.subPath }}
  {{- if eq $.Values.model.delivery "pvc" }}
  subPath: {{ . }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "credit-signals.modelVolumes" -}}
{{- if eq .Values.model.delivery "pvc" -}}
- name: models
  persistentVolumeClaim:
    claimName: {{ .Values.model.pvc.claimName }}
    readOnly: true
{{- else if eq .Values.model.delivery "fetch" -}}
- name: models
  emptyDir:
    sizeLimit: {{ .Values.model.fetch.sizeLimit }}
{{- end }}
{{- end -}}

{{/* The init container that fetches the model and checks its hash. */}}
{{- define "credit-signals.modelFetch" -}}
{{- if eq .Values.model.delivery "fetch" -}}
- name: fetch-model
  image: {{ include "credit-signals.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [credit-signals, model, fetch]
  args:
    - {{ .Values.model.fetch.url | quote }}
    - --sha256={{ .Values.model.fetch.sha256 }}
    - --to=/models/{{ .Values.model.fetch.url | base }}
    - --parts
  resources:
    requests:
      cpu: 100m
      memory: 128Mi
    limits:
      memory: 256Mi
  securityContext:
    {{- include "credit-signals.containerSecurity" . | nindent 4 }}
  volumeMounts:
    - name: models
      mountPath: /models
    - name: tmp
      mountPath: /tmp
{{- end }}
{{- end -}}

{{/* An egress rule: one port, and peers or any address; takes a dict of ports and to. */}}
{{- define "credit-signals.egress" -}}
- ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "credit-signals.egressDns" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
  {{- with .Values.networkPolicy.dns.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "credit-signals.egressRedis" -}}
{{- $trial := list (dict "podSelector" (dict "matchLabels" (include "credit-signals.selector" (dict "root" . "component" "trial-redis") | fromYaml))) -}}
{{- include "credit-signals.egress" (dict "ports" (list .Values.networkPolicy.redis.port) "to" (ternary $trial .Values.networkPolicy.redis.to .Values.trial.enabled)) -}}
{{- end -}}

{{- define "credit-signals.egressStore" -}}
{{- $trial := list (dict "podSelector" (dict "matchLabels" (include "credit-signals.selector" (dict "root" . "component" "trial-postgres") | fromYaml))) -}}
{{- include "credit-signals.egress" (dict "ports" (list .Values.networkPolicy.store.port) "to" (ternary $trial .Values.networkPolicy.store.to .Values.trial.enabled)) -}}
{{- end -}}

{{/* Where an alert's heading stands in the chart's README; takes a dict of root and alert. */}}
{{- define "credit-signals.runbook" -}}
{{- $place := printf "README.md#%s" (.alert | lower) -}}
runbook: helm/credit-signals/{{ $place }}
{{- with .root.Values.monitoring.rules.runbookBase }}
runbook_url: {{ trimSuffix "/" . }}/{{ $place }}
{{- end }}
{{- end -}}
