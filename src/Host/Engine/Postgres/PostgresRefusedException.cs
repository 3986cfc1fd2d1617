using System.Data.Common;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>
/// The database is there and must not be used as it is. The message names what is wrong and what to do; a process that
/// starts ends with it, a running one keeps its journal closed until the next connection finds it mended.
/// </summary>
sealed class PostgresRefusedException(string code, string reason, string action) : DbException($"{code}: {reason} {action}")
{
    public string Code => code;

    public string Reason => reason;

    public string Action => action;
}

/// <summary>
/// A commit returned, and the server said that it waits no longer for its standby: it is on one disk only, and a fail-over
/// may lose it. Not durable, so not acknowledged (reliability.md 4.4 rule 8).
/// </summary>
sealed class LocalOnlyCommitException(string notice) : DbException($"the commit is on the primary alone: {notice}");
