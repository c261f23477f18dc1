import { expect, test } from 'vitest'
import { compile } from '../../src/compiler/compile.ts'
import { FILE_OPTIONS, readManifests } from './manifests.ts'

const consumer = (index: number): string => `
apiVersion: ostiary.dev/v1alpha1
kind: Consumer
metadata: {name: c${String(index).padStart(3, '0')}}
spec: {username: alice}
`

function messages(count: number): string[] {
  const manifests = Array.from({ length: count }, (_, index) => consumer(index)).join('---\n')
  const { statuses, table } = compile(readManifests(manifests), FILE_OPTIONS)
  expect(table.consumers).toEqual({})
  return statuses.map(({ conditions }) => conditions[0]?.message ?? '')
}

test('of many Consumers with one username each is told of a few others, for the API server takes no book', () => {
  const [first, , third] = messages(300)
  expect(first).toMatch(/is also that of c001, c002, c003 and 296 more; none of them counts/)
  expect(third).toMatch(/is also that of c000, c001, c003 and 296 more; none of them counts/)
})

test('a few others are all named', () => {
  expect(messages(4)[0]).toMatch(/is also that of c001, c002, c003; none of them counts/)
})
