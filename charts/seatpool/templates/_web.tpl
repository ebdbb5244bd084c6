{{/* The HTTP API. Its pods have another name label than the operator's, or Services and policies would mix them up. */}}

{{- define "seatpool.web.fullname" -}}
{{- printf "%s-web" (include "seatpool.fullname" . | trunc 59 | trimSuffix "-") -}}
{{- end -}}

{{- define "seatpool.web.serviceAccountName" -}}
{{- default (include "seatpool.web.fullname" .) .Values.web.serviceAccount.name -}}
{{- end -}}

{{- define "seatpool.web.selectorLabels" -}}
app.kubernetes.io/name: {{ include "seatpool.name" . }}-web
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "seatpool.web.metadata" -}}
{{- include "seatpool.metadata" (dict "root" .root "name" (default (include "seatpool.web.fullname" .root) .name)
    "namespace" .namespace "labels" .labels "annotations" .annotations) -}}
{{- end -}}

{{/* Its settings: what it shares with the operator, and nothing that could hold a secret of it. */}}
{{- define "seatpool.web.settings" -}}
{{- $shared := pick (deepCopy (default dict .Values.config)) "identity" "log" "watch" "web" -}}
{{- if hasKey $shared "identity" -}}
{{- $_ := set $shared "identity" (omit (default dict $shared.identity) "mapping_file") -}}
{{- end -}}
{{- $web := dict "port" .Values.web.port -}}
{{- if .Values.web.tls.secretName -}}
{{- $_ := set $web "tls_cert_file" "/etc/seatpool-tls/tls.crt" -}}
{{- $_ := set $web "tls_key_file" "/etc/seatpool-tls/tls.key" -}}
{{- end -}}
{{- if .Values.web.history.enabled -}}
{{- $history := pick (dig "history" dict (default dict .Values.config)) "location" "region" "role_arn" "external_id" "endpoint_url" -}}
{{- if eq (include "seatpool.web.history" .) "bucket" }}{{ $_ := set $history "spool" "/tmp/no-spool" }}{{ end -}}
{{- $_ := set $shared "history" $history -}}
{{- end -}}
{{- if .Values.web.keys.enabled -}}
{{- $_ := set $web "keys" (dict "enabled" true) -}}
{{- end -}}
{{- $decided := dict "web" $web "http" (dict "port" .Values.port) -}}
{{- with .Values.watchNamespaces }}{{ $_ := set $decided "namespaces" . }}{{ end -}}
{{- toYaml (merge $decided $shared) -}}
{{- end -}}

{{- define "seatpool.web.rules" -}}
- apiGroups: [seatpool.io]
  resources: [licensepools, licenseservers, seatledgers, workbenches]
  verbs: [get, list, watch]
{{- if .Values.web.keys.enabled }}
# Requests of its callers, what becomes of them, and keys of the same user that have ended.
- apiGroups: [seatpool.io]
  resources: [apikeys]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [seatpool.io]
  resources: [apikeys/status]
  verbs: [patch]
{{- end }}
{{- end -}}

{{- define "seatpool.web.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "seatpool.web.serviceAccountName" . }}
    namespace: {{ include "seatpool.namespace" . }}
{{- end -}}

{{- define "seatpool.refuseWeb" -}}
{{- $v := .Values -}}
{{- if $v.web.enabled -}}
{{- range $setting := list "port" "tls_cert_file" "tls_key_file" -}}
{{- if hasKey (dig "web" dict (default dict $v.config)) $setting -}}
{{- fail (printf "config.web.%s is decided by web of this chart; set web.port or web.tls.secretName instead" $setting) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (dig "web" "keys" dict (default dict $v.config)) "enabled" -}}
{{- fail "config.web.keys.enabled is decided by web of this chart; set web.keys.enabled instead" -}}
{{- end -}}
{{- if and $v.web.keys.enabled (eq (include "seatpool.decisionPolicy" .) "none") -}}
{{- fail "web.keys.enabled needs an admission policy: without it, whoever may create APIKeys gets the rights of any user; set rbac.decisionPolicy to install, or to present where a cluster admin has made the policy" -}}
{{- end -}}
{{- if dig "web" "host" "" (default dict $v.config) -}}
{{- fail (printf "config.web.host is %s: the Service reaches the pod by its own address; leave it out, for all addresses" $v.config.web.host) -}}
{{- end -}}
{{- include "seatpool.refuseWebHistory" . -}}
{{- if eq (int $v.web.port) (int $v.port) -}}
{{- fail (printf "web.port and port are both %d: one process has the API on the first and its probes on the second; change one of them" (int $v.port)) -}}
{{- end -}}
{{- if eq (include "seatpool.web.serviceAccountName" .) (include "seatpool.serviceAccountName" .) -}}
{{- fail (printf "web.serviceAccount.name is %s, the operator's ServiceAccount, which may write; name another" (include "seatpool.serviceAccountName" .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "seatpool.refuseWebHistory" -}}
{{- $v := .Values -}}
{{- if $v.web.history.enabled -}}
{{- $location := dig "history" "location" "" (default dict $v.config) -}}
{{- if not $location -}}
{{- fail "web.history.enabled is true and config.history.location is not set: name the folder or bucket that the operator records to" -}}
{{- end -}}
{{- if not (hasPrefix "s3://" $location) -}}
{{- if ne $v.history.volume "claim" -}}
{{- fail (printf "web.history.enabled is true and history.volume is %s: only a claim can be mounted in two pods; set history.volume to claim" $v.history.volume) -}}
{{- end -}}
{{- if not (include "seatpool.isBelow" (dict "path" $location "folders" (list (clean $v.history.mountPath)))) -}}
{{- fail (printf "web.history.enabled is true and config.history.location is %s, which is not below history.mountPath (%s)" $location $v.history.mountPath) -}}
{{- end -}}
{{- if and (not $v.history.existingClaim) (not (has "ReadWriteMany" $v.history.accessModes)) -}}
{{- fail (printf "web.history.enabled is true and history.accessModes is %s, which only one node can mount; use ReadWriteMany, or a bucket" (join ", " $v.history.accessModes)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether the history of the HTTP API is a folder, or in a bucket. Empty: it has none. */}}
{{- define "seatpool.web.history" -}}
{{- if .Values.web.history.enabled -}}
{{- hasPrefix "s3://" (dig "history" "location" "" (default dict .Values.config)) | ternary "bucket" "folder" -}}
{{- end -}}
{{- end -}}
