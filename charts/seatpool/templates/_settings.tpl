{{/* The operator's YAML file: what the user wrote in `config`, and what other values of the chart decide. */}}
{{- define "seatpool.settings" -}}
{{- $election := dict "enabled" .Values.leaderElection.enabled -}}
{{- $_ := set $election "name" (include "seatpool.fullname" .) -}}
{{- $_ := set $election "namespace" (include "seatpool.namespace" .) -}}
{{- if .Values.leaderElection.enabled -}}
{{- with .Values.leaderElection.leaseDuration }}{{ $_ := set $election "lease_duration" . }}{{ end -}}
{{- with .Values.leaderElection.renewDeadline }}{{ $_ := set $election "renew_deadline" . }}{{ end -}}
{{- with .Values.leaderElection.retryPeriod }}{{ $_ := set $election "retry_period" . }}{{ end -}}
{{- end -}}
{{- $decided := dict "leader_election" $election "http" (dict "port" .Values.port) -}}
{{- with .Values.watchNamespaces }}{{ $_ := set $decided "namespaces" . }}{{ end -}}
{{- toYaml (merge $decided (deepCopy (default dict .Values.config))) -}}
{{- end -}}
