const METADATA = /^metadata:\n {2}name: (\S+)\n/m

/**
 * Turns a CustomResourceDefinition into a template of the chart: behind `crds.install`, kept at an uninstall while
 * `crds.keep`, with the chart's labels, and otherwise letter by letter the same.
 *
 * @param crd YAML with `metadata` that holds a name alone, as `customResourceDefinitions` writes it.
 * @throws {TypeError} When its `metadata` is another.
 */
export function crdTemplate(crd: string): string {
  if (!METADATA.test(crd) || /^metadata:\n {2}name: \S+\n {2}/m.test(crd))
    throw new TypeError('a CRD whose metadata is not a name alone has no place for annotations and labels')
  const guarded = escapeActions(crd).replace(
    METADATA,
    (found) => `${found}  {{- include "ostiary.crdMetadata" . | nindent 2 }}\n`,
  )
  return `{{- if .Values.crds.install }}\n${guarded}{{- end }}\n`
}

/** A description may hold what the template engine would take for an action. */
function escapeActions(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}')
}
