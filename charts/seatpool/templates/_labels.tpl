{{/* What the pods are selected by. It cannot change in the life of a Deployment. */}}
{{- define "seatpool.selectorLabels" -}}
app.kubernetes.io/name: {{ include "seatpool.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of the pod of `helm test`. */}}
{{- define "seatpool.testLabels" -}}
app.kubernetes.io/name: {{ include "seatpool.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* All labels of an object: (dict "root" $ "labels" MAP). Ours win, or a Service would lose its pods by a user's label. */}}
{{- define "seatpool.labels" -}}
{{- $ours := dict
    "app.kubernetes.io/name" (include "seatpool.name" .root)
    "app.kubernetes.io/instance" .root.Release.Name
    "app.kubernetes.io/version" .root.Chart.AppVersion
    "app.kubernetes.io/managed-by" .root.Release.Service
    "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- toYaml (merge $ours (deepCopy (.labels | default dict)) (default dict .root.Values.commonLabels)) -}}
{{- end -}}

{{/* The metadata of an object: (dict "root" $ "name" NAME "namespace" NAMESPACE "labels" MAP "annotations" MAP). All but root may be
     missing; without a namespace it is for objects that have none. */}}
{{- define "seatpool.metadata" -}}
name: {{ default (include "seatpool.fullname" .root) .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- include "seatpool.labels" . | nindent 2 }}
{{- with merge (deepCopy (.annotations | default dict)) (default dict .root.Values.commonAnnotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
