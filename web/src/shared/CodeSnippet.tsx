// Text to copy, with a button that copies it and says so.
import { Button, makeStyles, mergeClasses, tokens } from '@fluentui/react-components';
import { Checkmark16Regular, Copy16Regular } from '@fluentui/react-icons';
import { useEffect, useState } from 'react';
import { t } from '@/messages';

const useStyles = makeStyles({
  frame: { backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, border: `1px solid ${tokens.colorNeutralStroke2}`, minWidth: 0 },
  code: {
    margin: 0, padding: `${tokens.spacingVerticalXS} ${tokens.spacingHorizontalM} ${tokens.spacingVerticalM}`, overflowX: 'auto', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200,
    lineHeight: tokens.lineHeightBase300, tabSize: 2, overflowWrap: 'normal',
  },
  bar: { display: 'flex', justifyContent: 'space-between', alignItems: 'center', gap: tokens.spacingHorizontalS, padding: '4px 4px 0 12px', overflowWrap: 'anywhere', '& button': { flexShrink: 0 }, color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200, position: 'relative' },
});

export function CopyButton({ text, label, className, children }: { text: string; label?: string; className?: string; children?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <Button
        size="small" className={className} icon={copied ? <Checkmark16Regular /> : <Copy16Regular />} aria-label={label}
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {copied ? t.app.copied : (children ?? t.app.copy)}
      </Button>
      <span role="status" style={{ position: 'absolute', clipPath: 'inset(50%)', width: 1, height: 1, overflow: 'hidden' }}>
        {copied ? t.app.copied : ''}
      </span>
    </>
  );
}

export function CodeSnippet({ code, label, className }: { code: string; label: string; className?: string }) {
  const styles = useStyles();
  return (
    <div className={mergeClasses(styles.frame, className)}>
      <div className={styles.bar}>
        <span>{label}</span>
        <CopyButton text={code} label={t.settings.submit.copySnippet(label)} />
      </div>
      <pre className={styles.code} tabIndex={0} role="group" aria-label={label}>
        {code}
      </pre>
    </div>
  );
}
