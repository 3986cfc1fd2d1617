using System.Data.Common;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

/// <summary>Bad luck on demand. Each hook is empty until a test sets it.</summary>
sealed class Faults : IJournalFaults
{
    public Action<DbConnection>? OnOpened { get; set; }

    public Action? OnBegin { get; set; }

    public Action? OnCommit { get; set; }

    public Action? OnCommitted { get; set; }

    public Action? OnLookup { get; set; }

    public void Opened(DbConnection writer) => OnOpened?.Invoke(writer);

    public void BeforeBegin() => OnBegin?.Invoke();

    public void BeforeCommit() => OnCommit?.Invoke();

    public void AfterCommit() => OnCommitted?.Invoke();

    public void BeforeLookup() => OnLookup?.Invoke();

    /// <summary>Stops the writer before its next batch, so that everything sent meanwhile becomes one batch.</summary>
    public Hold HoldWriter()
    {
        var hold = new Hold();
        OnBegin = () =>
        {
            OnBegin = null;
            hold.Arrived.Set();
            hold.Released.Wait();
        };
        return hold;
    }

    internal sealed class Hold
    {
        public ManualResetEventSlim Arrived { get; } = new();

        public ManualResetEventSlim Released { get; } = new();
    }
}
