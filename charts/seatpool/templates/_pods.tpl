{{/* Parts of a pod that more than one template has. Maps and lists are as YAML, empty ones too. */}}

{{/* Pull secrets of this chart and of the parent chart, which may write them as names. */}}
{{- define "seatpool.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (default list .Values.imagePullSecrets) (dig "imagePullSecrets" list (default dict .Values.global)) -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- toYaml (uniq $secrets) -}}
{{- end -}}

{{/* Where the pod may run, and who pulls its image: of the operator's pod and of that of `helm test`. */}}
{{- define "seatpool.placement" -}}
{{- $global := default dict .Values.global -}}
{{- $placement := dict -}}
{{- with include "seatpool.imagePullSecrets" . | fromYamlArray }}{{ $_ := set $placement "imagePullSecrets" . }}{{ end -}}
{{- with merge (deepCopy (default dict .Values.nodeSelector)) (dig "nodeSelector" dict $global) }}{{ $_ := set $placement "nodeSelector" . }}{{ end -}}
{{- with concat (default list .Values.tolerations) (dig "tolerations" list $global) }}{{ $_ := set $placement "tolerations" . }}{{ end -}}
{{- with .Values.podSecurityContext }}{{ $_ := set $placement "securityContext" . }}{{ end -}}
{{- range $name := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsConfig" "hostAliases" -}}
{{- with get $.Values $name }}{{ $_ := set $placement $name . }}{{ end -}}
{{- end -}}
{{- if .Values.hostNetwork }}{{ $_ := set $placement "hostNetwork" true }}{{ end -}}
{{- with default (ternary "ClusterFirstWithHostNet" "" (not (not .Values.hostNetwork))) .Values.dnsPolicy }}{{ $_ := set $placement "dnsPolicy" . }}{{ end -}}
{{- if $placement }}{{ toYaml $placement }}{{ end -}}
{{- end -}}

{{/* Environment variables. Kubernetes takes text only, and YAML makes numbers of it. */}}
{{- define "seatpool.env" -}}
{{- $variables := list -}}
{{- range . -}}
{{- $variable := deepCopy . -}}
{{- if hasKey . "value" -}}
{{- $value := .value -}}
{{- if and (kindIs "float64" $value) (eq $value (floor $value)) }}{{ $value = printf "%.0f" $value }}{{ end -}}
{{- $_ := set $variable "value" (toString $value) -}}
{{- end -}}
{{- $variables = append $variables $variable -}}
{{- end -}}
{{- toYaml $variables -}}
{{- end -}}

{{/* A probe: (dict "path" PATH "numbers" MAP). */}}
{{- define "seatpool.probe" -}}
{{- toYaml (merge (dict "httpGet" (dict "path" .path "port" "http")) (default dict .numbers)) -}}
{{- end -}}

{{/* A length such as 1m30s, in milliseconds. */}}
{{- define "seatpool.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{- $sum := 0 -}}
{{- range regexFindAll `[0-9]+(ms|s|m|h|d)` . -1 -}}
{{- $number := regexFind `[0-9]+` . -}}
{{- $sum = add $sum (mul (int64 $number) (int64 (get $units (trimPrefix $number .)))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* Rules for what goes out to the API server and to DNS, which the pod of `helm test` needs too. */}}
{{- define "seatpool.egressToCluster" -}}
# The API server.
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .Values.networkPolicy.apiServerTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
# Names.
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}

{{- define "seatpool.egressToAws" -}}
# AWS by HTTPS.
- ports:
    - {port: 443, protocol: TCP}
  {{- with .Values.networkPolicy.awsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
# The agent of EKS Pod Identity on the node, which hands out credentials.
- ports:
    - {port: 80, protocol: TCP}
  to:
    - ipBlock: {cidr: 169.254.170.23/32}
    - ipBlock: {cidr: "fd00:ec2::23/128"}
{{- end -}}
