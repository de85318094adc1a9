// Raw reports: fetched with the token, checked against the recorded hash, and saved as files.
import { ApiError, fetchBytes } from '@/api/client';
import type { Artifact } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';

/** Lower-case hex. */
export async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes as they were sent; refused when they are not what the hash says. */
export async function readArtifact(artifact: Pick<Artifact, 'run' | 'name' | 'sha256'>): Promise<Blob> {
  const blob = await fetchBytes(paths.artifact(artifact.run, artifact.name));
  if ((await sha256(await blob.arrayBuffer())) !== artifact.sha256) throw new ApiError(200, 'hash_mismatch', t.reports.mismatch);
  return blob;
}

/** Saves the bytes under the artifact's name. The type is neutral, so that no browser opens them as a page of this origin. */
export async function downloadArtifact(artifact: Pick<Artifact, 'run' | 'name' | 'sha256'>): Promise<void> {
  const blob = await readArtifact(artifact);
  const url = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = artifact.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
