{{/* The constraints as a YAML list: the user's or ours, each with the labels of the pods. */}}
{{- define "seatpool.topologySpread" -}}
{{- $chosen := .Values.topologySpread.constraints -}}
{{- if and .Values.topologySpread.enabled (not $chosen) (gt (int .Values.replicas) 1) -}}
{{- $chosen = list
    (dict "topologyKey" "kubernetes.io/hostname" "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway")
    (dict "topologyKey" "topology.kubernetes.io/zone" "maxSkew" 1 "whenUnsatisfiable" "ScheduleAnyway") -}}
{{- end -}}
{{- $labels := dict "labelSelector" (dict "matchLabels" (include "seatpool.selectorLabels" . | fromYaml)) -}}
{{- $constraints := list -}}
{{- range $chosen -}}
{{- $constraints = append $constraints (merge (deepCopy .) (deepCopy $labels)) -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end -}}
