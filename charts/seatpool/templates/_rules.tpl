{{/* What the operator does in the namespaces that it serves, and nothing else. */}}
{{- define "seatpool.rules" -}}
# What admins write: read it, and tell in its status how it stands.
- apiGroups: [seatpool.io]
  resources: [licensepools, licenseservers]
  verbs: [get, list, watch]
- apiGroups: [seatpool.io]
  resources: [licensepools/status, licenseservers/status, workbenches/status]
  verbs: [patch]
# The finalizer of pools with onDelete: Clear.
- apiGroups: [seatpool.io]
  resources: [licensepools]
  verbs: [patch]
# What the operator writes itself: workbenches from EC2, and the memory behind the rules.
- apiGroups: [seatpool.io]
  resources: [workbenches]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [seatpool.io]
  resources: [seatledgers]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "seatpool.viewerRules" -}}
- apiGroups: [seatpool.io]
  resources: [licensepools, licenseservers, seatledgers, workbenches]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, watch]
{{- end -}}

{{- define "seatpool.licenseAdminRules" -}}
- apiGroups: [seatpool.io]
  resources: [licensepools, licenseservers]
  verbs: [patch]
{{- end -}}

{{- define "seatpool.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "seatpool.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end -}}
