import type { ConsumerSummary } from '../../admin/dashboard/dashboard-model.ts'
import { objectKey } from '../../api/object.ts'
import type { Compiled } from './control-plane-record.ts'
import { conditionsOf } from './object-conditions.ts'
import { searchText, type Searchable } from './page-of.ts'

/** A Consumer as it is shown. */
export interface ListedConsumer extends Searchable {
  readonly shown: ConsumerSummary
}

/** Every Consumer, those that are refused too, by namespace and name. */
export function listConsumers({ resources, result, table }: Compiled): readonly ListedConsumer[] {
  const specs = new Map(resources.consumers.map(({ metadata, spec }) => [objectKey(metadata), spec]))
  return result.statuses
    .filter(({ kind }) => kind === 'Consumer')
    .map((status) => {
      const id = objectKey(status)
      const spec = specs.get(id)
      const { customId, groups = [], username } = spec?.ok === true ? spec.value : {}
      const conditions = conditionsOf(status, table, undefined)
      return {
        shown: {
          id,
          ...(username !== undefined && { username }),
          ...(customId !== undefined && { customId }),
          groups,
          conditions,
        },
        text: searchText([id, username, customId, ...groups, ...conditions.map(({ reason }) => reason)]),
      }
    })
}
