{{/* Labels of this installation's own series, by which its alerts and its dashboard tell it from others. The Prometheus operator
     sets `job` to the name of the Service, or to namespace/name of the PodMonitor. */}}
{{- define "seatpool.seriesLabels" -}}
{{- $monitoring := .Values.monitoring -}}
{{- $labels := dict "namespace" (include "seatpool.namespace" .) -}}
{{- if $monitoring.serviceMonitor.enabled -}}
{{- $_ := set $labels "job" (include "seatpool.fullname" .) -}}
{{- else if $monitoring.podMonitor.enabled -}}
{{- $_ := set $labels "job" (printf "%s/%s" (default (include "seatpool.namespace" .) $monitoring.podMonitor.namespace) (include "seatpool.fullname" .)) -}}
{{- end -}}
{{- toYaml (default $labels $monitoring.prometheusRule.selector) -}}
{{- end -}}

{{/* An expression for this installation only: (dict "expr" EXPRESSION "labels" MAP). */}}
{{- define "seatpool.ownExpression" -}}
{{- $matchers := list -}}
{{- range $name, $value := .labels -}}
{{- $matchers = append $matchers (printf "%s=%q" $name $value) -}}
{{- end -}}
{{- $selector := join ", " $matchers | replace "$" "$$" -}}
{{- $expr := regexReplaceAll `(seatpool_[a-z_]+)\{` .expr (printf "${1}{%s, " $selector) -}}
{{- regexReplaceAll `(seatpool_[a-z_]+)([^a-z_{]|$)` $expr (printf "${1}{%s}${2}" $selector) -}}
{{- end -}}

{{/* The groups of rules/alerts.yaml for this installation, as the values tune them. */}}
{{- define "seatpool.alertGroups" -}}
{{- $values := .Values.monitoring.prometheusRule -}}
{{- $labels := include "seatpool.seriesLabels" . | fromYaml -}}
{{- $threshold := `(>=?) [0-9.]+$` -}}
{{- $groups := list -}}
{{- $known := list -}}
{{- range $group := (fromYaml (.Files.Get "rules/alerts.yaml")).groups -}}
{{- $rules := list -}}
{{- range $rule := $group.rules -}}
{{- $known = append $known $rule.alert -}}
{{- $tuned := dig $rule.alert dict (default dict $values.alerts) -}}
{{- if dig "enabled" true $tuned -}}
{{- $expr := include "seatpool.ownExpression" (dict "expr" $rule.expr "labels" $labels) -}}
{{- if hasKey $tuned "threshold" -}}
{{- if not (regexMatch $threshold $expr) -}}
{{- fail (printf "monitoring.prometheusRule.alerts.%s.threshold: this alert compares with no number that could be tuned; leave it out" $rule.alert) -}}
{{- end -}}
{{- $expr = regexReplaceAll $threshold $expr (printf "${1} %v" $tuned.threshold) -}}
{{- end -}}
{{- $severity := dict "severity" (default $rule.labels.severity $tuned.severity) -}}
{{- $url := $rule.annotations.runbook_url | replace "docs/runbook.md" $values.runbookUrl -}}
{{- $rules = append $rules (dict
    "alert" $rule.alert
    "expr" $expr
    "for" (default (get $rule "for") (get $tuned "for"))
    "labels" (merge $severity (deepCopy (default dict $tuned.labels)) (deepCopy (default dict $values.ruleLabels)))
    "annotations" (set $rule.annotations "runbook_url" $url)) -}}
{{- end -}}
{{- end -}}
{{- $groups = append $groups (dict "name" $group.name "interval" $values.interval "rules" (concat $rules (default list $values.extraRules))) -}}
{{- end -}}
{{- range $name, $_ := default dict $values.alerts -}}
{{- if not (has $name $known) -}}
{{- fail (printf "monitoring.prometheusRule.alerts.%s: there is no such alert; there are %s" $name (join ", " $known)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $groups -}}
{{- end -}}

{{/* An endpoint of a ServiceMonitor or a PodMonitor, from its values. */}}
{{- define "seatpool.endpoint" -}}
{{- $endpoint := dict "port" "http" "path" "/metrics" "interval" .interval -}}
{{- if .honorLabels }}{{ $_ := set $endpoint "honorLabels" true }}{{ end -}}
{{- range $name := list "scrapeTimeout" "relabelings" "metricRelabelings" -}}
{{- with get $ $name }}{{ $_ := set $endpoint $name . }}{{ end -}}
{{- end -}}
{{- toYaml (merge (deepCopy (default dict .endpointConfig)) $endpoint) -}}
{{- end -}}
