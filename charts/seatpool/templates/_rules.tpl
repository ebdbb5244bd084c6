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
{{- with .Values.rbac.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* To read the objects that config.mirror.kubernetes makes workbenches. Takes root, and namespace for a Role. */}}
{{- define "seatpool.sourceRules" -}}
{{- $mirror := default dict (default dict .root.Values.config).mirror -}}
{{- range $rule := default list $mirror.kubernetes }}
{{- if or (not $.namespace) (not $rule.namespaces) (has $.namespace (default list $rule.namespaces)) }}
# Objects of the rule {{ $rule.name }}, which are workbenches.
- apiGroups: [{{ default "" $rule.group | quote }}]
  resources: [{{ $rule.kind | quote }}]
  verbs: [get, list, watch{{ if or $rule.seat_annotation $rule.scheduling_gate }}, patch{{ end }}]
{{- end }}
{{- end }}
{{- end -}}

{{/* The Lease that the operator renews while it is alive: that of the election, or one that only tells. */}}
{{- define "seatpool.lease" -}}
{{- include "seatpool.fullname" . }}{{ if not .Values.leaderElection.enabled }}-alive{{ end }}
{{- end -}}

{{- define "seatpool.viewerRules" -}}
- apiGroups: [seatpool.io]
  resources: [licensepools, licenseservers, seatledgers, workbenches]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, watch]
{{- end -}}

{{/* RBAC restricts no fields. The verb `decide` marks those whom the policy of decisions keeps to annotations and spec.suspend. */}}
{{- define "seatpool.licenseAdminRules" -}}
- apiGroups: [seatpool.io]
  resources: [licensepools, licenseservers]
  verbs: [patch, decide]
{{- end -}}

{{/* Who makes the policy of decisions: install, present or none. The default is what this release can make. */}}
{{- define "seatpool.decisionPolicy" -}}
{{- if .Values.rbac.decisionPolicy -}}
{{- .Values.rbac.decisionPolicy -}}
{{- else if or .Values.watchNamespaces (not (include "seatpool.knowsPolicies" .)) -}}
none
{{- else -}}
install
{{- end -}}
{{- end -}}

{{/* ValidatingAdmissionPolicy is stable since Kubernetes 1.30. */}}
{{- define "seatpool.knowsPolicies" -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version }}yes{{ end -}}
{{- end -}}

{{/* There is a role for license admins only where something keeps them to decisions. */}}
{{- define "seatpool.hasLicenseAdmins" -}}
{{- if and .Values.rbac.people (ne (include "seatpool.decisionPolicy" .) "none") }}yes{{ end -}}
{{- end -}}

{{- define "seatpool.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "seatpool.serviceAccountName" . }}
    namespace: {{ include "seatpool.namespace" . }}
{{- end -}}
