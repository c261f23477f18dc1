{{- define "ostiary.podSpec" -}}
serviceAccountName: {{ include "ostiary.serviceAccountName" . }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
# A Service named ostiary-http would set OSTIARY_HTTP_PORT to tcp://…, which is a flag's variable.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "ostiary.gracePeriodSeconds" . }}
{{- with .Values.podSecurityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- with .Values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" .Values.hostNetwork) }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "ostiary.affinity" . }}
affinity: {{- . | nindent 2 }}
{{- end }}
{{- with include "ostiary.topologySpreadConstraints" . }}
topologySpreadConstraints: {{- . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .Values.initContainers }}
initContainers: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: ostiary
    image: {{ include "ostiary.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args: {{- include "ostiary.args" . | nindent 6 }}
    env:
      - name: POD_NAMESPACE
        valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
      - name: POD_NAME
        valueFrom: {fieldRef: {fieldPath: metadata.name}}
      {{- with .Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with .Values.extraEnvFrom }}
    envFrom: {{- toYaml . | nindent 6 }}
    {{- end }}
    ports:
      {{- range $name := list "http" "https" "admin" }}
      - name: {{ $name }}
        containerPort: {{ index $.Values.containerPorts $name }}
        {{- if and $.Values.hostPort.enabled (ne $name "admin") }}
        hostPort: {{ index $.Values.hostPort $name }}
        {{- end }}
      {{- end }}
    {{- range $probe := list (list "startupProbe" "/startupz") (list "livenessProbe" "/livez") (list "readinessProbe" "/readyz") }}
    {{- $times := index $.Values (first $probe) }}
    {{- if $times.enabled }}
    {{ first $probe }}:
      httpGet: {path: {{ last $probe }}, port: admin}
      {{- with omit $times "enabled" }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- end }}
    {{- end }}
    {{- with .Values.lifecycle }}
    lifecycle: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.securityContext }}
    securityContext: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    volumeMounts: {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- with .Values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraVolumes }}
volumes: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Pods of a DaemonSet are apart as it is. */}}
{{- define "ostiary.affinity" -}}
{{- $affinity := deepCopy .Values.affinity }}
{{- $preset := .Values.podAntiAffinity.preset }}
{{- if and (include "ostiary.isDeployment" .) (ne $preset "none") (not (hasKey $affinity "podAntiAffinity")) }}
{{- $term := dict
  "topologyKey" .Values.podAntiAffinity.topologyKey
  "labelSelector" (dict "matchLabels" (include "ostiary.selector" . | fromYaml))
}}
{{- $soft := dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $term)) }}
{{- $hard := dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term) }}
{{- $_ := set $affinity "podAntiAffinity" (ternary $hard $soft (eq $preset "hard")) }}
{{- end }}
{{- with $affinity }}{{ toYaml . }}{{ end }}
{{- end }}

{{- define "ostiary.topologySpreadConstraints" -}}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $selector := dict "labelSelector" (dict "matchLabels" (include "ostiary.selector" $ | fromYaml)) }}
{{- $constraints = append $constraints (merge (deepCopy .) (ternary dict $selector (hasKey . "labelSelector"))) }}
{{- end }}
{{- with $constraints }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* What doctor has to know of the flags of the pod, so that it reads what the pod reads. */}}
{{- define "ostiary.doctorFlags" -}}
{{- if include "ostiary.isNamespaced" . -}}
--without-cluster-rights --ingress-class={{ .Values.ingressClass.name }} {{/* */}}
{{- else if ne .Values.ingressClass.controller "ostiary.dev/ingress-controller" -}}
--controller-class={{ .Values.ingressClass.controller }} {{/* */}}
{{- end }}
{{- end }}

{{/* Flags that say what is the default anyway are left out, but for those on which other objects of the chart build.
The release's namespace is told by a variable, so that whoever moves the objects to another one need not know the flags. */}}
{{- define "ostiary.args" -}}
- run
- --ingress-class={{ .Values.ingressClass.name }}
{{- with include "ostiary.watchNamespaces" . | fromJsonArray }}
{{- $names := list }}
{{- range . }}
{{- $names = append $names (ternary "$(POD_NAMESPACE)" . (eq . $.Release.Namespace)) }}
{{- end }}
- --watch-namespace={{ join "," $names }}
{{- end }}
{{- if include "ostiary.isNamespaced" . }}
- --without-cluster-rights
{{- end }}
- --replicas={{ include "ostiary.maxReplicas" . }}
{{- range $flag, $value := dict
  "controller-class" (without (list .Values.ingressClass.controller) "ostiary.dev/ingress-controller" | first)
  "http-port" (without (list (int .Values.containerPorts.http)) 8080 | first)
  "https-port" (without (list (int .Values.containerPorts.https)) 8443 | first)
  "admin-port" (without (list (int .Values.containerPorts.admin)) 10254 | first)
  "dashboard-port" (without (list (int .Values.dashboard.port)) 10255 | first)
  "dashboard-host" .Values.dashboard.host
  "dashboard-plugin" .Values.dashboard.plugin
  "https-redirect-port" (without (list (include "ostiary.httpsRedirectPort" . | int)) 443 | first)
  "default-plugins" (join "," .Values.defaultPlugins)
  "trusted-proxies" (join "," .Values.trustedProxies)
  "default-ssl-certificate" .Values.defaultSslCertificate
  "tls-min-version" .Values.tlsMinVersion
  "default-backend-service" .Values.defaultBackendService
  "publish-status-address" (join "," .Values.publishStatusAddress)
  "publish-service" (include "ostiary.publishedService" . | replace (printf "%s/" .Release.Namespace) "$(POD_NAMESPACE)/")
}}
{{- with $value }}
- --{{ $flag }}={{ . }}
{{- end }}
{{- end }}
{{- range $flag, $isOn := dict
  "disable-catch-all" .Values.disableCatchAll
  "watch-ingress-without-class" .Values.watchIngressWithoutClass
  "require-plugin" .Values.requirePlugin
  "allow-shared-hosts" .Values.allowSharedHosts
  "allow-external-name" .Values.allowExternalName
  "allow-loopback-issuers" .Values.allowLoopbackIssuers
  "publish-node-addresses" .Values.publishNodeAddresses
  "debug-endpoints" .Values.debugEndpoints
  "update-status-on-shutdown" .Values.updateStatusOnShutdown
}}
{{- if $isOn }}
- --{{ $flag }}
{{- end }}
{{- end }}
{{- range $name, $limit := .Values.limits }}
{{- if not (kindIs "invalid" $limit) }}
- --{{ kebabcase $name }}={{ kindIs "string" $limit | ternary $limit (int64 $limit) }}
{{- end }}
{{- end }}
- --workers={{ .Values.workers }}
- --session-key-secret={{ include "ostiary.sessionKeySecret" . }}
- --leader-elect={{ .Values.leaderElect }}
{{- if not (include "ostiary.hasDashboard" .) }}
- --dashboard=false
{{- end }}
{{- if not .Values.http2 }}
- --http2=false
{{- end }}
- --election-id={{ include "ostiary.electionId" . }}
- --shutdown-delay={{ .Values.shutdownDelaySeconds }}s
- --drain-timeout={{ .Values.drainTimeoutSeconds }}s
- --log-level={{ .Values.logLevel }}
- --log-format={{ .Values.logFormat }}
{{- if not .Values.accessLog.enabled }}
- --access-log=false
{{- end }}
{{- if ne (toString .Values.accessLog.sample) "1" }}
- --access-log-sample={{ .Values.accessLog.sample }}
{{- end }}
{{- if not .Values.auditLog }}
- --audit-log=false
{{- end }}
{{- with .Values.tracing.endpoint }}
- --otlp-endpoint={{ . }}
- --trace-sample-ratio={{ $.Values.tracing.sampleRatio }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
