using Microsoft.Win32.SafeHandles;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Named network namespaces, made as iproute2 makes them (a file in /run/netns with the namespace mounted on it), so
/// that an operator finds them with the usual commands. Callers that create or delete hold <see cref="NamespaceLock"/>.
/// </summary>
static class NetworkNamespace
{
    public const string Directory = "/run/netns";
    const int NotANamespace = 22;
    const int NoSuchFile = 2;

    public static bool Exists(string name)
    {
        try
        {
            Run(name, () => true);
            return true;
        }
        catch (KernelException error) when (error.Errno is NoSuchFile or NotANamespace)
        {
            return false;
        }
    }

    /// <summary>
    /// True when it was made now. Its loopback is up; one without IPv6 is quieter and twice as quick.
    /// </summary>
    public static bool Ensure(string name, bool ipv6)
    {
        if (Exists(name))
        {
            return false;
        }

        ShareDirectory();
        var path = Path.Combine(Directory, name);

        // A file without a namespace on it is what a crash between the two steps leaves.
        File.Delete(path);
        Libc.OpenOrThrow(path, Libc.ReadOnly | Libc.Create | Libc.Exclusive).Dispose();
        OnOwnThread(() =>
        {
            Libc.Check(Libc.Unshare(Libc.CloneNewNet), "unshare the network");
            Libc.Check(Libc.Mount("/proc/thread-self/ns/net", path, "none", Libc.MountBind, 0), "mount " + path);
            if (!ipv6)
            {
                TurnOffIpv6();
            }

            using var links = new Links(NetlinkSocket.OpenInside());
            links.Change(links.Need("lo"), new LinkChange(Up: true));
            return true;
        });
        return true;
    }

    /// <summary>
    /// The kernel frees what is inside when the last process and socket have left, and in the background.
    /// </summary>
    public static void Delete(string name)
    {
        var path = Path.Combine(Directory, name);
        if (File.Exists(path))
        {
            // A file without a mount answers an error that does not matter: the file goes anyway.
            _ = Libc.Unmount(path, Libc.UnmountDetach);
            File.Delete(path);
        }
    }

    /// <summary>For a request that names a namespace.</summary>
    public static SafeFileHandle Open(string name) => Libc.OpenOrThrow(Path.Combine(Directory, name), Libc.ReadOnly);

    /// <summary>
    /// Runs inside the namespace, on a thread that ends afterwards: a pool thread must never be left in one.
    /// </summary>
    public static T Run<T>(string name, Func<T> inside)
    {
        using var file = Open(name);
        return OnOwnThread(() =>
        {
            Libc.Check(Libc.SetNamespace(file, Libc.CloneNewNet), "enter namespace " + name);
            return inside();
        });
    }

    static T OnOwnThread<T>(Func<T> work)
    {
        var task = new Task<T>(work);
        var thread = new Thread(() => task.RunSynchronously()) { IsBackground = true, Name = "network namespace" };
        thread.Start();
        thread.Join();
        return task.GetAwaiter().GetResult();
    }

    /// <summary>A namespace named by one process must be seen by those that have a mount table of their own.</summary>
    static void ShareDirectory()
    {
        System.IO.Directory.CreateDirectory(Directory);
        const nuint share = Libc.MountShared | Libc.MountRecursive;
        if (Libc.Mount("", Directory, "none", share, 0) == 0)
        {
            return;
        }

        Libc.Check(Libc.Mount(Directory, Directory, "none", Libc.MountBind | Libc.MountRecursive, 0), "mount " + Directory);
        Libc.Check(Libc.Mount("", Directory, "none", share, 0), "share " + Directory);
    }

    static void TurnOffIpv6()
    {
        foreach (var scope in (string[])["all", "default"])
        {
            try
            {
                File.WriteAllText($"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6", "1");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A kernel without IPv6, or a container with a read-only /proc: only comfort is lost.
            }
        }
    }
}

/// <summary>
/// Held while namespaces that several hosts share (guests, backplanes, the underlay) are made or removed: drivers of two
/// hosts may run in two processes, and one may not remove what the other one is about to use.
/// </summary>
sealed class NamespaceLock : IDisposable
{
    static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    readonly SafeFileHandle _directory;

    NamespaceLock(SafeFileHandle directory) => _directory = directory;

    public static async Task<NamespaceLock> Take(TimeProvider time, CancellationToken stop)
    {
        Directory.CreateDirectory(NetworkNamespace.Directory);
        var directory = Libc.OpenOrThrow(NetworkNamespace.Directory, Libc.ReadOnly | Libc.Directory);
        try
        {
            var start = time.GetTimestamp();
            while (Libc.Lock(directory, Libc.LockExclusive | Libc.LockNonBlocking) != 0)
            {
                if (time.GetElapsedTime(start) > WaitMax)
                {
                    throw new KernelException(110, "lock " + NetworkNamespace.Directory);
                }

                await Task.Delay(Pause, time, stop);
            }

            return new NamespaceLock(directory);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    public void Dispose() => _directory.Dispose();
}
