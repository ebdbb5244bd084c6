{{/* What a schema cannot say: values that do not go together. Each message names the values and what to do. */}}
{{- define "seatpool.refuse" -}}
{{- $v := .Values -}}
{{- $config := default dict $v.config -}}
{{- range $setting, $value := dict "namespaces" "watchNamespaces" "leader_election" "leaderElection" "kubeconfig" "serviceAccount and rbac" -}}
{{- if hasKey $config $setting -}}
{{- fail (printf "config.%s is decided by %s of this chart; set that instead" $setting $value) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (default dict $config.http) "port" -}}
{{- fail "config.http.port is decided by port of this chart; set that instead" -}}
{{- end -}}
{{- if and (gt (int $v.replicas) 1) (not $v.leaderElection.enabled) -}}
{{- fail (printf "replicas is %d and leaderElection.enabled is false: they would all work at once; enable it, or set replicas to 1" (int $v.replicas)) -}}
{{- end -}}
{{- if and $v.watchNamespaces (not $config.installation) -}}
{{- fail "watchNamespaces is set and config.installation is not: the operator may not read the cluster's own id then; set it to a name that no other cluster uses on your license servers, for example config.installation=team-a-prod" -}}
{{- end -}}
{{- if and $v.rbac.people (eq $v.rbac.decisionPolicy "install") (not (include "seatpool.knowsPolicies" .)) -}}
{{- fail (printf "rbac.decisionPolicy is install and Kubernetes is %s: ValidatingAdmissionPolicy needs 1.30; leave it empty, and there is no role seatpool-license-admin" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- range (dig "mirror" "accounts" list $config) -}}
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
{{- include "seatpool.refuseFiles" . -}}
{{- include "seatpool.refuseAddresses" . -}}
{{- include "seatpool.refuseTimes" . -}}
{{- include "seatpool.refuseDisruption" . -}}
{{- include "seatpool.refuseWeb" . -}}
{{- end -}}

{{/* Files that the operator could never write or read: the image's file system is read-only, and holds no file of a user. */}}
{{- define "seatpool.refuseFiles" -}}
{{- $v := .Values -}}
{{- $config := default dict $v.config -}}
{{- $mounted := list -}}
{{- $writable := list "/tmp" -}}
{{- if ne $v.history.volume "none" -}}
{{- $mounted = append $mounted (clean $v.history.mountPath) -}}
{{- $writable = append $writable (clean $v.history.mountPath) -}}
{{- end -}}
{{- range tpl (toYaml (default list $v.extraVolumeMounts)) . | fromYamlArray -}}
{{- $path := clean (toString .mountPath) -}}
{{- if or (eq $path "/etc/seatpool") (hasPrefix "/etc/seatpool/" $path) -}}
{{- fail (printf "extraVolumeMounts: %s is in /etc/seatpool, which is the read-only volume of the settings; mount it elsewhere, for example at /etc/seatpool-files" .mountPath) -}}
{{- end -}}
{{- $mounted = append $mounted $path -}}
{{- if not .readOnly }}{{ $writable = append $writable $path }}{{ end -}}
{{- end -}}
{{- $location := dig "history" "location" "" $config -}}
{{- $written := dict
    "history.location" (hasPrefix "s3://" $location | ternary "" $location)
    "history.spool" (empty $location | ternary "" (dig "history" "spool" "" $config))
    "audit.file" (dig "audit" "file" "" $config) -}}
{{- if dig "readOnlyRootFilesystem" false (default dict $v.securityContext) -}}
{{- range $setting, $path := $written -}}
{{- if and $path (not (include "seatpool.isBelow" (dict "path" $path "folders" $writable))) -}}
{{- fail (printf "config.%s is %s, which can never be written: it is on no volume; set history.volume to emptyDir or claim and name a path below history.mountPath (%s)" $setting $path $v.history.mountPath) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $secrets := dict
    "history.salt_file" (dig "history" "salt_file" "" $config)
    "notify.webhook.secret_file" (dig "notify" "webhook" "secret_file" "" $config) -}}
{{- $mapping := dig "identity" "mapping_file" "" $config -}}
{{- if hasPrefix "/etc/seatpool/" $mapping }}{{ $_ := set $secrets "identity.mapping_file" $mapping }}{{ end -}}
{{- range $setting, $path := $secrets -}}
{{- if and $path (not (include "seatpool.isBelow" (dict "path" $path "folders" $mounted))) -}}
{{- fail (printf "config.%s is %s, which is on no volume: put the volume into extraVolumes, and mount it by extraVolumeMounts, for example at /etc/seatpool-files" $setting $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether a path is in one of some folders: (dict "path" PATH "folders" LIST). */}}
{{- define "seatpool.isBelow" -}}
{{- $path := clean .path -}}
{{- range .folders -}}
{{- if or (eq . "/") (eq . $path) (hasPrefix (printf "%s/" .) $path) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{- define "seatpool.refuseAddresses" -}}
{{- $v := .Values -}}
{{- $host := dig "http" "host" "" (default dict $v.config) -}}
{{- if not (has $host (list "" "0.0.0.0" "::")) -}}
{{- fail (printf "config.http.host is %s: the kubelet probes the pod's own address, where nothing would listen then; leave it out, for all addresses" $host) -}}
{{- end -}}
{{- if and (eq $v.service.ipFamilyPolicy "SingleStack") (gt (len (default list $v.service.ipFamilies)) 1) -}}
{{- fail (printf "service.ipFamilyPolicy is SingleStack and service.ipFamilies has %s; use PreferDualStack or RequireDualStack, or leave one family" (join " and " $v.service.ipFamilies)) -}}
{{- end -}}
{{- if and (eq $v.dnsPolicy "None") (not (dig "nameservers" list (default dict $v.dnsConfig))) -}}
{{- fail "dnsPolicy is None and dnsConfig.nameservers is empty: nothing could be resolved; name a server, or leave dnsPolicy empty" -}}
{{- end -}}
{{- if and $v.hostNetwork $v.networkPolicy.enabled -}}
{{- fail "hostNetwork and networkPolicy.enabled are both true: a NetworkPolicy has no effect on pods in the node's network; switch one of them off" -}}
{{- end -}}
{{- end -}}

{{- define "seatpool.refuseTimes" -}}
{{- $v := .Values -}}
{{- range $kind := list "serviceMonitor" "podMonitor" -}}
{{- $monitor := get $v.monitoring $kind -}}
{{- if and $monitor.scrapeTimeout (gt (include "seatpool.milliseconds" $monitor.scrapeTimeout | int64) (include "seatpool.milliseconds" $monitor.interval | int64)) -}}
{{- fail (printf "monitoring.%s.scrapeTimeout %s is longer than its interval %s, which Prometheus refuses; make it shorter" $kind $monitor.scrapeTimeout $monitor.interval) -}}
{{- end -}}
{{- end -}}
{{- if $v.leaderElection.enabled -}}
{{- $lease := default "10s" $v.leaderElection.leaseDuration -}}
{{- $deadline := default "7s" $v.leaderElection.renewDeadline -}}
{{- $retry := default "2s" $v.leaderElection.retryPeriod -}}
{{- $deadlineMs := include "seatpool.milliseconds" $deadline | int64 -}}
{{- if or (gt (mul 2 (include "seatpool.milliseconds" $retry | int64)) $deadlineMs) (ge $deadlineMs (include "seatpool.milliseconds" $lease | int64)) -}}
{{- fail (printf "leaderElection.renewDeadline %s must be at least twice retryPeriod (%s) and shorter than leaseDuration (%s)" $deadline $retry $lease) -}}
{{- end -}}
{{- end -}}
{{- if and (not $v.leaderElection.enabled) (eq (dig "type" "" (default dict $v.strategy)) "RollingUpdate") -}}
{{- fail "strategy.type is RollingUpdate and leaderElection.enabled is false: during an update two pods would work at once; leave strategy empty, or enable leaderElection" -}}
{{- end -}}
{{- end -}}

{{- define "seatpool.refuseDisruption" -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- $least := toString (default "" $budget.minAvailable) -}}
{{- $most := toString $budget.maxUnavailable -}}
{{- if and $least (not (has $most (list "" "<nil>"))) -}}
{{- fail (printf "podDisruptionBudget.minAvailable (%s) and maxUnavailable (%s) are both set; Kubernetes takes one of them" $least $most) -}}
{{- end -}}
{{- if and $budget.enabled (gt (int .Values.replicas) 1) -}}
{{- if or (has $most (list "0" "0%")) (eq $least "100%") (and $least (not (hasSuffix "%" $least)) (ge (int $least) (int .Values.replicas))) -}}
{{- fail (printf "podDisruptionBudget lets no pod go (minAvailable %q, maxUnavailable %q, replicas %d): no node could be drained; allow one" $least $most (int .Values.replicas)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
