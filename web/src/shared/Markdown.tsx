// What a tool wrote, shown as text with light formatting. The words come from a report anyone may have made, so nothing in them may
// run, load or lead astray: no raw HTML, no images, links only to http and https, opened without telling where from.
import { makeStyles, tokens } from '@fluentui/react-components';
import ReactMarkdown, { type Components } from 'react-markdown';
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import { isWebUrl, OutsideLink } from './location';

const useStyles = makeStyles({
  text: {
    overflowWrap: 'anywhere', lineHeight: tokens.lineHeightBase300,
    '& h1, & h2, & h3, & h4, & h5, & h6': { fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, margin: `${tokens.spacingVerticalM} 0 ${tokens.spacingVerticalXS}` },
    '& p, & ul, & ol': { margin: `0 0 ${tokens.spacingVerticalS}` },
    '& ul, & ol': { paddingLeft: '22px' },
    '& table': { borderCollapse: 'collapse', display: 'block', overflowX: 'auto', fontSize: tokens.fontSizeBase200, marginBottom: tokens.spacingVerticalS },
    '& th, & td': { border: `1px solid ${tokens.colorNeutralStroke2}`, padding: '3px 8px', textAlign: 'left' },
    '& th': { backgroundColor: tokens.colorNeutralBackground3 },
    '& code': { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200, backgroundColor: tokens.colorNeutralBackground3, padding: '1px 4px', borderRadius: tokens.borderRadiusSmall },
    '& pre': { backgroundColor: tokens.colorNeutralBackground3, padding: tokens.spacingVerticalS, overflowX: 'auto', borderRadius: tokens.borderRadiusMedium },
    '& blockquote': { margin: `0 0 ${tokens.spacingVerticalS}`, paddingLeft: tokens.spacingHorizontalM, borderLeft: `3px solid ${tokens.colorNeutralStroke1}` },
  },
});

const schema: typeof defaultSchema = {
  ...defaultSchema,
  tagNames: (defaultSchema.tagNames ?? []).filter((tag) => !['img', 'picture', 'source', 'input', 'details', 'summary'].includes(tag)),
  protocols: { href: ['http', 'https'] },
};

// Headings inside a message must not compete with those of the page.
const Heading: Components['h1'] = ({ children }) => (
  <p>
    <strong>{children}</strong>
  </p>
);

const components: Components = {
  a: ({ href, children }) => (href && isWebUrl(href) ? <OutsideLink href={href}>{children}</OutsideLink> : <span>{children}</span>),
  img: ({ alt }) => <span>{alt}</span>,
  h1: Heading, h2: Heading, h3: Heading, h4: Heading, h5: Heading, h6: Heading,
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children }) => <table tabIndex={0}>{children}</table>,
};

export default function Markdown({ text }: { text: string }) {
  return (
    <div className={useStyles().text}>
      <ReactMarkdown skipHtml remarkPlugins={[remarkGfm]} rehypePlugins={[[rehypeSanitize, schema]]} components={components} urlTransform={(url) => (isWebUrl(url) ? url : '')}>
        {text}
      </ReactMarkdown>
    </div>
  );
}
