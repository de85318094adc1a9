// Short words about what an action did, announced to everyone.
import { Toast, ToastBody, Toaster, ToastTitle, useToastController } from '@fluentui/react-components';
import { ApiError } from '@/api/client';
import { t } from '@/messages';

const TOASTER = 'toaster';

export function Notices() {
  return <Toaster toasterId={TOASTER} position="bottom-end" />;
}

export function useNotify() {
  const { dispatchToast } = useToastController(TOASTER);
  return {
    done: (text: string) =>
      dispatchToast(
        <Toast>
          <ToastTitle>{text}</ToastTitle>
        </Toast>,
        { intent: 'success' },
      ),
    failed: (title: string, error: unknown) =>
      dispatchToast(
        <Toast>
          <ToastTitle>{title}</ToastTitle>
          <ToastBody subtitle={error instanceof ApiError && error.requestId ? t.states.requestId(error.requestId) : undefined}>
            {error instanceof Error ? error.message : String(error)}
          </ToastBody>
        </Toast>,
        { intent: 'error', timeout: 10_000 },
      ),
  };
}
