{{/* What a schema cannot say: values that do not go together. Each message names the values and what to do. */}}
{{- define "seatpool.refuse" -}}
{{- $v := .Values -}}
{{- range $setting, $value := dict "namespaces" "watchNamespaces" "leader_election" "leaderElection" "kubeconfig" "serviceAccount and rbac" -}}
{{- if hasKey $v.config $setting -}}
{{- fail (printf "config.%s is decided by %s of this chart; set that instead" $setting $value) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (default dict $v.config.http) "port" -}}
{{- fail "config.http.port is decided by port of this chart; set that instead" -}}
{{- end -}}
{{- if and (gt (int $v.replicas) 1) (not $v.leaderElection.enabled) -}}
{{- fail (printf "replicas is %d and leaderElection.enabled is false: they would all work at once; enable it, or set replicas to 1" (int $v.replicas)) -}}
{{- end -}}
{{- if and $v.watchNamespaces (not $v.config.installation) -}}
{{- fail "watchNamespaces is set and config.installation is not: the operator may not read the cluster's own id then; set it to a name that no other cluster uses on your license servers, for example config.installation=team-a-prod" -}}
{{- end -}}
{{- if and $v.rbac.people (eq $v.rbac.decisionPolicy "install") (not (include "seatpool.knowsPolicies" .)) -}}
{{- fail (printf "rbac.decisionPolicy is install and Kubernetes is %s: ValidatingAdmissionPolicy needs 1.30; leave it empty, and there is no role seatpool-license-admin" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- range (dig "mirror" "accounts" list $v.config) -}}
{{- $namespace := default "default" .namespace -}}
{{- if and $v.watchNamespaces (not (has $namespace $v.watchNamespaces)) -}}
{{- fail (printf "config.mirror.accounts: account %s writes to namespace %s, which is not one of watchNamespaces (%s); set its `namespace` to one of them" .account $namespace (join ", " $v.watchNamespaces)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $v.history.volume "claim") (not $v.history.existingClaim) (gt (int $v.replicas) 1) (not (has "ReadWriteMany" $v.history.accessModes)) -}}
{{- fail (printf "history.volume is claim with accessModes %s, which only one node can mount, and replicas is %d; use ReadWriteMany, or set replicas to 1" (join ", " $v.history.accessModes) (int $v.replicas)) -}}
{{- end -}}
{{- if and $v.monitoring.serviceMonitor.enabled $v.monitoring.podMonitor.enabled -}}
{{- fail "monitoring.serviceMonitor.enabled and monitoring.podMonitor.enabled are both true: every metric would be read twice; enable one of them" -}}
{{- end -}}
{{- if and $v.monitoring.serviceMonitor.enabled (not $v.service.enabled) -}}
{{- fail "monitoring.serviceMonitor.enabled needs a Service: set service.enabled to true, or use monitoring.podMonitor" -}}
{{- end -}}
{{- end -}}
