// Draws notices as Fluent toasts, each once.
import { Toast, ToastBody, Toaster, ToastTitle, useId, useToastController } from '@fluentui/react-components';
import { useEffect, useRef } from 'react';
import type { Notice } from './notify';

export default function Toasts({ notices }: { notices: Notice[] }) {
  const toaster = useId('toaster');
  const { dispatchToast } = useToastController(toaster);
  const shown = useRef(0);
  useEffect(() => {
    for (const notice of notices) {
      if (notice.number <= shown.current) continue;
      shown.current = notice.number;
      dispatchToast(
        <Toast>
          <ToastTitle>{notice.title}</ToastTitle>
          {notice.body && <ToastBody subtitle={notice.note}>{notice.body}</ToastBody>}
        </Toast>,
        { intent: notice.intent, timeout: notice.intent === 'error' ? 10_000 : 4000 },
      );
    }
  }, [notices, dispatchToast]);
  return <Toaster toasterId={toaster} position="bottom-end" />;
}
