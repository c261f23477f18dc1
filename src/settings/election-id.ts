import { DEFAULT_CONTROLLER_CLASS, type Settings } from './settings.ts'

type Installation = Pick<Settings, 'electionId' | 'controllerClass' | 'withoutClusterRights' | 'ingressClass'>

const LEASE = 'ostiary-leader'

/**
 * The Lease that the replicas of one installation compete for, in the controller's own namespace. Two installations
 * that shared one would write the statuses of only one of them: what tells them apart, the controller's class or the
 * name of the Ingress class, is in the name.
 */
export function electionIdOf(installation: Installation): string {
  const { electionId, controllerClass, withoutClusterRights, ingressClass } = installation
  if (electionId !== undefined) return electionId
  const controller =
    controllerClass === DEFAULT_CONTROLLER_CLASS ? LEASE : `${LEASE}-${controllerClass.split('/')[1]}`
  return withoutClusterRights && ingressClass !== 'ostiary' ? `${controller}.${ingressClass}` : controller
}
