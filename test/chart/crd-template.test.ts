import { describe, expect, test } from 'vitest'
import { crdTemplate } from '../../scripts/crd-template.ts'

const crd = (more: string): string =>
  `kind: CustomResourceDefinition\nmetadata:\n  name: things.ostiary.dev\n${more}`

describe('a CRD as a template of the chart', () => {
  test('is behind a value, and has the metadata of the chart', () => {
    expect(crdTemplate(crd('spec: {}\n'))).toBe(
      [
        '{{- if .Values.crds.install }}',
        'kind: CustomResourceDefinition',
        'metadata:',
        '  name: things.ostiary.dev',
        '  {{- include "ostiary.crdMetadata" . | nindent 2 }}',
        'spec: {}',
        '{{- end }}',
        '',
      ].join('\n'),
    )
  })

  test('runs nothing that a description holds', () => {
    const template = crdTemplate(crd('description: such as {{ .Release.Name }}\n'))
    expect(template).toContain('such as {{ "{{" }} .Release.Name }}')
  })

  test('is refused with metadata that the chart would double', () => {
    expect(() => crdTemplate(crd('  labels: {}\n'))).toThrow(/metadata/)
    expect(() => crdTemplate('kind: CustomResourceDefinition\n')).toThrow(/metadata/)
  })
})
